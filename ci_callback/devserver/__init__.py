"""`serve`: the function on loopback as SCF would call it, its timer, and a simulator of CI."""
