"""Each answer as a record and arrays, and back; one answer per file."""
