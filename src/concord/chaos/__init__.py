"""``concord chaos``: faults struck while work is in flight, and whether the speed layer is right and fresh afterwards."""
