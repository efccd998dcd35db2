"""The commands that train and judge: `semc train`, `eval`, `data`, `pretrain`, `ablate`, `calibrate`."""
