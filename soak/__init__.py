"""Zero loss, proved by force: rules, replicas, processes and ways change at random under load."""
