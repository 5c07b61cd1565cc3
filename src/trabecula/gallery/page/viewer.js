"use strict";

/* Shows the voxels of a design: in the plane as they are, in space turned by the mouse (WebGL, no library). */

function unpack(voxels) {
  const bytes = atob(voxels.bits);
  const count = voxels.shape.reduce((product, n) => product * n, 1);
  const solid = new Uint8Array(count);
  for (let k = 0; k < count; k++) solid[k] = (bytes.charCodeAt(k >> 3) >> (7 - (k & 7))) & 1;
  return solid;
}

function drawPlane(canvas, voxels, size) {
  const [rows, columns] = voxels.shape;
  const solid = unpack(voxels);
  const small = document.createElement("canvas");
  small.width = columns;
  small.height = rows;
  const image = small.getContext("2d").createImageData(columns, rows);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const at = 4 * ((rows - 1 - y) * columns + x); // y grows upwards
      const grey = solid[y * columns + x] ? 40 : 255;
      image.data.set([grey, grey, grey, 255], at);
    }
  small.getContext("2d").putImageData(image, 0, 0);
  canvas.width = 960;
  canvas.height = 720;
  const scale = Math.min(940 / size[0], 700 / size[1]);
  const [width, height] = [size[0] * scale, size[1] * scale];
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(small, (960 - width) / 2, (720 - height) / 2, width, height);
  context.strokeStyle = "#b8c0ca";
  context.strokeRect((960 - width) / 2, (720 - height) / 2, width, height);
}

/* The faces between solid and void, as triangles with normals, about the middle of the box. */
function surface(voxels, size) {
  const [nz, ny, nx] = voxels.shape;
  const solid = unpack(voxels);
  const counts = [nx, ny, nz];
  const edges = counts.map((n, axis) => size[axis] / n);
  const at = (p) =>
    p.every((value, axis) => value >= 0 && value < counts[axis]) && solid[(p[2] * ny + p[1]) * nx + p[0]];
  const corners = [];
  for (let z = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++) {
        const p = [x, y, z];
        if (!at(p)) continue;
        for (let axis = 0; axis < 3; axis++)
          for (const side of [0, 1]) {
            const beside = p.slice();
            beside[axis] += 2 * side - 1;
            if (at(beside)) continue;
            const normal = [0, 0, 0];
            normal[axis] = 2 * side - 1;
            const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
            for (const [a, b] of [[0, 0], [1, 0], [1, 1], [0, 0], [1, 1], [0, 1]]) {
              const corner = p.slice();
              corner[axis] += side;
              corner[u] += a;
              corner[v] += b;
              corners.push(...corner.map((value, k) => value * edges[k] - size[k] / 2), ...normal);
            }
          }
      }
  return new Float32Array(corners);
}

const VERTEX = `
attribute vec3 place; attribute vec3 normal; uniform mat3 turn; uniform vec3 scale; varying float light;
void main() {
  vec3 p = turn * place; vec3 n = turn * normal;
  gl_Position = vec4(p.x * scale.x, p.y * scale.y, -p.z * scale.z, 1.0);
  light = 0.35 + 0.45 * max(0.0, dot(n, normalize(vec3(-0.4, 0.7, 0.8)))) + 0.2 * max(0.0, n.z);
}`;
const FRAGMENT = `
precision mediump float; varying float light;
void main() { gl_FragColor = vec4(vec3(0.55, 0.62, 0.72) * light * 1.5, 1.0); }`;

class Solid {
  constructor(canvas, onTurn) {
    this.canvas = canvas;
    this.gl = canvas.getContext("webgl", { antialias: true });
    if (!this.gl) return;
    canvas.width = 960;
    canvas.height = 720;
    canvas.classList.add("turns");
    const gl = this.gl;
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.enable(gl.DEPTH_TEST);
    this.program = program;
    let last = null;
    canvas.addEventListener("pointerdown", (event) => {
      last = event;
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointerup", () => (last = null));
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      onTurn((event.clientX - last.clientX) / 120, (event.clientY - last.clientY) / 120);
      last = event;
    });
  }

  /* Whether the browser can draw it. */
  get works() {
    return Boolean(this.gl);
  }

  show(voxels, size) {
    const gl = this.gl;
    const corners = surface(voxels, size);
    this.count = corners.length / 6;
    this.reach = Math.hypot(...size) / 2;
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, corners, gl.STATIC_DRAW);
    for (const [name, offset] of [["place", 0], ["normal", 12]]) {
      const where = gl.getAttribLocation(this.program, name);
      gl.enableVertexAttribArray(where);
      gl.vertexAttribPointer(where, 3, gl.FLOAT, false, 24, offset);
    }
  }

  draw(view) {
    const gl = this.gl;
    const [ca, sa, cb, sb] = [Math.cos(view.around), Math.sin(view.around), Math.cos(view.over), Math.sin(view.over)];
    // z of the problem points up: first around z, then tilted towards the eye; by columns
    const turn = [ca, sb * sa, -cb * sa, -sa, sb * ca, -cb * ca, 0, cb, sb];
    const near = 0.95 / this.reach;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(1, 1, 1, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.uniformMatrix3fv(gl.getUniformLocation(this.program, "turn"), false, turn);
    gl.uniform3f(gl.getUniformLocation(this.program, "scale"), near * 0.75, near, near * 0.9);
    gl.drawArrays(gl.TRIANGLES, 0, this.count);
  }
}
