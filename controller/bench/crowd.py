"""The scene of the distance and search benchmarks: six arms in a ring among thirty boxes, and the same for coal."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cells import load_arm
from controller.bench.peer import load_peer
from kinematics import JOINT_AXES, Body, Boxes, Scene

FloatArray = NDArray[np.float64]

ARM = "gp7"
_ARMS, _BOXES, _RING_M = 6, 30, 1.2


def crowd(rng: np.random.Generator) -> Scene:
    """Six arms that reach each other, with seven capsules each, and thirty boxes of 4 to 24 cm between them."""
    arm = load_arm(ARM)
    around = np.arange(_ARMS) * (2 * np.pi / _ARMS)
    bodies = tuple(
        Body(
            chain=arm.chain,
            X_WB=_upright(_RING_M * np.cos(a), _RING_M * np.sin(a), 0.0, a + np.pi),
            capsules=arm.capsules,
        )
        for a in around
    )
    feet = np.array([body.X_WB[:2, 3] for body in bodies])
    places: list[FloatArray] = []
    while len(places) < _BOXES:
        place = rng.uniform([-2.0, -2.0, 0.0], [2.0, 2.0, 1.3])
        if np.linalg.norm(feet - place[:2], axis=1).min() > 0.3:
            x, y, z = place.tolist()
            places.append(_upright(x, y, z, float(rng.uniform(-np.pi, np.pi))))
    return Scene(bodies=bodies, boxes=Boxes(X_WO=np.array(places), half=rng.uniform(0.02, 0.12, (_BOXES, 3))))


def states(scene: Scene, count: int, rng: np.random.Generator) -> FloatArray:
    """Random joint angles (count, a, 6) within the limits."""
    chain = scene.bodies[0].chain
    return rng.uniform(chain.q_min, chain.q_max, (count, len(scene.bodies), 6))


def _upright(x: float, y: float, z: float, yaw: float) -> FloatArray:
    X = np.eye(4)
    X[:2, :2] = [[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]]
    X[:3, 3] = x, y, z
    return X


class Coal:
    """The scene as a model of pinocchio with coal's shapes, and what is measured on it."""

    def __init__(self, scene: Scene) -> None:
        self._pin, self._coal = load_peer("pinocchio"), load_peer("coal")
        self._model, self._geometry = self._pin.Model(), self._pin.GeometryModel()
        shapes = [self._add_arm(f"arm{k}", body) for k, body in enumerate(scene.bodies)]
        boxes = [
            self._add(f"box{k}", 0, X, self._coal.Box(*(2 * half)))
            for k, (X, half) in enumerate(zip(scene.boxes.X_WO, scene.boxes.half, strict=True))
        ]
        for k, (body, own) in enumerate(zip(scene.bodies, shapes, strict=True)):
            others = [shape for other in shapes[:k] for shape in other]
            moving = [shape for shape, link in zip(own, body.capsules.link, strict=True) if link > 0]
            for one, two in [(i, j) for i in own for j in others] + [(i, j) for i in moving for j in boxes]:
                self._geometry.addCollisionPair(self._pin.CollisionPair(one, two))
        self.pairs = len(self._geometry.collisionPairs)
        self._data, self._found = self._model.createData(), self._geometry.createData()
        self._tree = self._pin.BroadPhaseManager_DynamicAABBTreeCollisionManager(
            self._model, self._geometry, self._found
        )

    def distance(self, q: FloatArray) -> float:
        """Smallest distance over all pairs (computeDistances)."""
        pin = self._pin
        pin.updateGeometryPlacements(self._model, self._data, self._geometry, self._found, q.ravel())
        nearest = pin.computeDistances(self._geometry, self._found)
        return float(self._found.distanceResults[nearest].min_distance)

    def collides(self, q: FloatArray) -> bool:
        """Whether any pair collides (DynamicAABBTree broadphase, stops at the first)."""
        return bool(self._pin.computeCollisions(self._model, self._data, self._tree, q.ravel(), True))

    def _add_arm(self, name: str, body: Body) -> list[int]:
        pin, chain, joint, joints = self._pin, body.chain, 0, [0]
        for k, (origin, axis) in enumerate(zip(chain.joint_origins, JOINT_AXES, strict=True)):
            zero = pin.AngleAxis(-float(chain.offsets[k]), axis).matrix()
            placement = pin.SE3(zero, origin)
            if k == 0:
                placement = pin.SE3(body.X_WB) * placement
            turning = pin.JointModelRevoluteUnaligned(*(axis * chain.signs[k]))
            joint = self._model.addJoint(joint, turning, placement, f"{name}.{k}")
            joints.append(joint)
        shapes = []
        own = body.capsules
        for k, (link, a, b, r) in enumerate(zip(own.link, own.a, own.b, own.radius, strict=True)):
            length = float(np.linalg.norm(b - a))
            X = np.eye(4)
            X[:3, 3] = (a + b) / 2
            if length > 0.0:
                z = (b - a) / length
                x = np.cross(np.eye(3)[np.abs(z).argmin()], z)
                x /= np.linalg.norm(x)
                X[:3, :3] = np.column_stack([x, np.cross(z, x), z])
            X = body.X_WB @ X if link == 0 else X
            shape = self._coal.Capsule(r, length) if length > 0.0 else self._coal.Sphere(r)
            shapes.append(self._add(f"{name}.capsule{k}", joints[link], X, shape))
        return shapes

    def _add(self, name: str, joint: int, X: FloatArray, shape: Any) -> int:
        solid = self._pin.GeometryObject(name, joint, self._pin.SE3(X), shape)
        return int(self._geometry.addGeometryObject(solid))
