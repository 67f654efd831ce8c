"""Floor 6: servers that take announcements from miners."""
