"""The reference pages under `docs/reference/`, made from the code, so that they cannot say anything else."""
