"""What each network of the default bundle learns, and from what."""
