"""What Concord takes and gives, measured: every figure has its protocol, its check and its machine."""
