# What the camera needs of the machine: memory to share with libcamera, by the name that a Pi has, and pictures to show.
modprobe udmabuf 2>/dev/null || true
ln -sf system /dev/dma_heap/linux,cma
[ ! -d /lab/frames ] || mount --bind /lab/frames /opt/frames
