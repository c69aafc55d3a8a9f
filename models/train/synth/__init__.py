"""Synthetic clips with exact masks, from pictures that may be shipped."""
