// ROS 2 is only looked for: no Debian, PyPI or npm package brings it, and a program that was never run is no measurement.
import { existsSync, readdirSync } from "node:fs"
import type { Peer } from "./peer.ts"

const FOLDER = "/opt/ros"

/** Says what is there; never runs. */
export const ros2: Peer = {
  name: "ROS 2",
  missing: async () => {
    const found =
      process.env.ROS_DISTRO ?? (existsSync(FOLDER) ? readdirSync(FOLDER)[0] : undefined)
    const instead = "its middleware is measured as Cyclone DDS"
    return found === undefined
      ? `ROS 2 is not installed (docs.ros.org, for Ubuntu: apt install ros-jazzy-ros-base); ${instead}`
      : `ROS 2 ${found} is installed, but this suite has no program for it; ${instead}`
  },
  prepare: async () => {},
  close: async () => {},
}
