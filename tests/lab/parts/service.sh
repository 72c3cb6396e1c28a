# What the service part needs of the machine beside the camera: devices owned as Raspberry Pi OS's udev rules own them.
modprobe gpio-sim
groupadd --force --system gpio
chgrp video /dev/dma_heap/system /dev/udmabuf
chmod 660 /dev/dma_heap/system /dev/udmabuf
