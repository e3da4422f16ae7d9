"""Small mathematics without domain words: supports of coefs, powers, small symmetric systems, implicit roots."""
