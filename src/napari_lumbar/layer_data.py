"""layer_data."""
