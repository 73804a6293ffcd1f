"""Many jobs, a few at a time: in processes here or on a cluster, and a journal of what is done."""
