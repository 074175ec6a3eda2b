"""svca takes payments at /pay and has the payer told by svcb."""
