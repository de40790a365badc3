"""Updates: what a signed repository offers, fetched, staged and handed on; the last good version always stays."""
