"""Six bus servos as one arm: host-side buffer, streaming, position encoding; and what emulates such servos.

`ServoArm` is the `cells.driver.ArmDriver`; `firmware_bridge.dynamixel` and `firmware_bridge.feetech` give it
their buses.
"""
