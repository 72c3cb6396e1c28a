"""What root does at the door around a start: takes over the boot volume, hardens the system, tells what is wrong."""
