"""The vocabulary: frozen values that need nothing but NumPy."""
