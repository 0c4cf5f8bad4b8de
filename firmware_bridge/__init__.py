"""Serial links to hardware: the protocol between host and arm, its reference firmware, and the joints' own bus."""
