"""From the decoder's frame to a packet: upright, in its levels, without combs, with its time."""
