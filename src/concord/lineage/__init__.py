"""Which column comes from which: from the shop's tables to the marts, by one naming of datasets."""
