"""Routes, coordination and the certificate of a plan."""
