"""What polling costs: time, CPU, memory and commits, each against its limit in the same run."""
