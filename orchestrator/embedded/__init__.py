"""Postgres, Triton, the web process and the worker on one machine, started and kept running by one supervisor."""
