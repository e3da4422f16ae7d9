"""Expressions that a user types, parsed against short lists of what they may hold: selections and formulas."""
