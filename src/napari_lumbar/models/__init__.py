"""Networks, the catalog that names them, and bundles of their weights."""
