"""Where a Setup comes from: flags, a setup file; later scripts and live objects."""
