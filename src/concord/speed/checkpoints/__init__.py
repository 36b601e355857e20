"""Where the streaming queries stand, what that was made with, and whether a start may go on from it."""
