"""Pure maths on arrays: chains, inverse kinematics, trajectories, distance and path search.

Nothing here does input or output, keeps state, or knows what the arms are used for. Public functions take
and return arrays, check them at the door and call compiled kernels; SI units and radians throughout.

Frames in names: ``X_AB`` is the pose of frame B in frame A, a 4x4 matrix.

===== ==================================================================================
frame sits
===== ==================================================================================
W     in the world, z up
B     in the arm's base: z along joint 1, x forward in the model's zero pose
0..6  on the links; 0 is the base, 6 is the flange (table in `kinematics.chain`)
F     on the flange, z outward: the same as link frame 6
O     in the centre of a box, along its edges
===== ==================================================================================

A twist is (v, w): linear velocity of the flange's origin, then angular velocity, both in B.
"""

from kinematics.blend import blend
from kinematics.bodies import Boxes, Capsules
from kinematics.braking import Course, Stopping, course_of, pace, stopping
from kinematics.cache import use_cache
from kinematics.chain import JOINT_AXES, Chain, Limits
from kinematics.clearance import clearance, collides, nearest, place_capsules
from kinematics.contact import first_contact
from kinematics.dynamics import gravity_torques, inverse_dynamics, mass_matrix
from kinematics.errors import KinematicsError, LineError
from kinematics.feed import Feed, change_feed
from kinematics.forward import forward_kinematics, jacobian, link_frames
from kinematics.ik_solutions import IkFailure, IkSolutions, Singularity
from kinematics.inverse import inverse_kinematics, windings
from kinematics.numeric_inverse import NumericSolutions, Reach, numeric_inverse
from kinematics.opw_fit import OpwFit, fit_opw
from kinematics.parallel_axes import ParallelAxesChain
from kinematics.profile import Profiles, rest_to_rest, rest_to_rest_duration, rest_to_rest_profiles
from kinematics.retime import TorqueLimits, retime
from kinematics.scene import Body, Scene
from kinematics.search import Path, PathStatus, plan_path
from kinematics.serial_chain import Bodies, SerialChain
from kinematics.straight_line import straight_line
from kinematics.sweep import Sweep, sweep
from kinematics.swept import SweepSet, sweep_box_distance
from kinematics.topp import PathSpeeds, TorqueTerms, path_speeds
from kinematics.trajectory import Trajectory, concatenate, sample_one
from kinematics.warm_up import warm_up
from kinematics.waypoints import through

__all__ = (
    "JOINT_AXES",
    "Bodies",
    "Body",
    "Boxes",
    "Capsules",
    "Chain",
    "Course",
    "Feed",
    "IkFailure",
    "IkSolutions",
    "KinematicsError",
    "Limits",
    "LineError",
    "NumericSolutions",
    "OpwFit",
    "ParallelAxesChain",
    "Path",
    "PathSpeeds",
    "PathStatus",
    "Profiles",
    "Reach",
    "Scene",
    "SerialChain",
    "Singularity",
    "Stopping",
    "Sweep",
    "SweepSet",
    "TorqueLimits",
    "TorqueTerms",
    "Trajectory",
    "blend",
    "change_feed",
    "clearance",
    "collides",
    "concatenate",
    "course_of",
    "first_contact",
    "fit_opw",
    "forward_kinematics",
    "gravity_torques",
    "inverse_dynamics",
    "inverse_kinematics",
    "jacobian",
    "link_frames",
    "mass_matrix",
    "nearest",
    "numeric_inverse",
    "pace",
    "path_speeds",
    "place_capsules",
    "plan_path",
    "rest_to_rest",
    "rest_to_rest_duration",
    "rest_to_rest_profiles",
    "retime",
    "sample_one",
    "stopping",
    "straight_line",
    "sweep",
    "sweep_box_distance",
    "through",
    "use_cache",
    "warm_up",
    "windings",
)
