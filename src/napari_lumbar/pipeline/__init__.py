"""Study in, analysis out: headless, no Qt, no files."""
