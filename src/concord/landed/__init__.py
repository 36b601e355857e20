"""What has landed in the lake, read: records become typed rows, or are set aside with a reason."""
