"""From slices to network input; shared by pipeline and training, so that both see the same pixels."""
