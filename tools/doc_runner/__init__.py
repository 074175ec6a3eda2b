"""Documentation that is executed: pages are read, their commands run, their outputs compared."""
