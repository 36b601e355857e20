"""The public UCI data sets *Online Retail* and *Online Retail II*: files in, a shop's history out."""
