"""What a run looked like: run.json, the HTML report and pictures."""
