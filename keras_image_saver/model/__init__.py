"""What knows Keras: which model draws, and how it is run."""
