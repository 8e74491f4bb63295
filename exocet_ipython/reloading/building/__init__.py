"""Building: which modules must run again, and running them aside, unseen until the whole batch stands."""
