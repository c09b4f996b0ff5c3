#!/bin/sh
# In the guest: a Raspberry Pi 4 as the kernel shows one, then `docket run` on it.
set -eu
cd "$(dirname "$0")/../../.."
pi=/sys/kernel/config/gpio-sim/pi
mkdir -p $pi/bank0
echo 58 > $pi/bank0/num_lines
echo pinctrl-bcm2711 > $pi/bank0/label
echo 1 > $pi/live
# The resistors that a Pi's firmware sets: buttons up, presence down.
sim=/sys/devices/platform/$(cat $pi/dev_name)/$(cat $pi/bank0/chip_name)
for line in 5 6 7 8; do echo pull-up > "$sim/sim_gpio$line/pull"; done
DOCKET_SIM=$sim exec node --import tsx test/system/uml/run-scenario.ts
