"""Serial links to hardware; so far only the frames of the joints' own bus (`firmware_bridge.sca`)."""
