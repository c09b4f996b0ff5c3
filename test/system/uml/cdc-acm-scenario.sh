#!/bin/sh
# In the guest: both ends of a USB cable. The gadget's /dev/ttyGS0 is the camera's, the host's /dev/ttyACM0 the dock's when it is plugged.
set -eu
cd "$(dirname "$0")/../../.."
gadget=/sys/kernel/config/usb_gadget/camera
mkdir $gadget
echo 0x1d6b > $gadget/idVendor
echo 0x0104 > $gadget/idProduct
mkdir $gadget/strings/0x409 $gadget/configs/c.1 $gadget/functions/acm.0
echo camera > $gadget/strings/0x409/product
ln -s $gadget/functions/acm.0 $gadget/configs/c.1/
DOCKET_GADGET=$gadget exec node --import tsx test/system/uml/cdc-acm-scenario.ts
