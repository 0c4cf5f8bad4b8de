"""Who passes first in a repeating cycle: schedules found with the conflicts on the way, not before them."""
