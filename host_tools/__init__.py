"""What runs on a computer: the factory bench, the emulator, the release tools and the cloud."""
