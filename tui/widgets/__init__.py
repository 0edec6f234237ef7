"""Small drawing parts that panes share."""
