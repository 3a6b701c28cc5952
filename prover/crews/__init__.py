"""Workers: processes of this machine, and those of a Dask cluster."""
