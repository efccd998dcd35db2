"""The ablation: networks with and without their parts, over several seeds, on one benchmark."""
