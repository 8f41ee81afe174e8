"""What is built: the firmware bundle and the boards' images."""
