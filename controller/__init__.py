"""Plans and runs the cell: schedule, motion, execution, reports and the command line."""
