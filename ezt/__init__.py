"""The command line ``ezt``, above every other layer."""
