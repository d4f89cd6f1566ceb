"""Report -> documents: one module a format."""
