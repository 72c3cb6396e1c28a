// The printed parts. z = 0 is the base's back, z = depth the shell's face; x = 0 the middle, y = 0 the lower edge.

wall = 3;
front = 3;
base_t = 3.5;
depth = 52;
corner = 8;
lip = 5;                                  // height of the base's rim inside the shell
small = pi == "zero2w";
width = small ? 80 : 104;
height = small ? 152 : 168;

stand = 5;                                // boards above the base
pi_size = small ? zero_size : pi4_size;
pi_holes = small ? zero_holes : pi4_holes;
pi_at = small ? [17, 99] : [17, 107];
perf_at = small ? [-18, 99] : [-31, 99];
buck_at = [-width / 2 + 18.2, 38];
lens_at = [0, height - 34];
pir_at = [0, 56];
button_at = [0, 28];
led_at = [20, 56];
entry_at = [24, 30];
hang_at = [[0, 12], [0, height - 11]];    // screws into the wall or the wedge
shut_at = [for (x = [-1, 1], y = [0, 1]) [x * (width / 2 - wall - 4), y ? height - wall - 4 : wall + 4]];

am312_sunk = 1.2;                         // the sensor's lip sits this deep in the face
lens_behind = 0.6;                        // lens's front to the face's inner side: an autofocus lens moves
post = cam_front + lens_behind;
window_d = 20.2;
window_deep = 2.2;
window_hole = 15;
boss_top = 13;                            // the shell's screw tubes end here, the base's bosses just below
hood_out = 14;
hood_up = 16.5;                           // the hood's lower side above the lens's axis
hood_wide = 56;

// What must be true for any choice of figures.
function spread(reach, degrees) = cam_pupil / 2 + reach * tan(degrees / 2);
diagonal = 2 * atan(norm([tan(cam_view[0] / 2), tan(cam_view[1] / 2)]));
assert(spread(lens_behind + front - window_deep, diagonal) < window_hole / 2, "the window's ledge is in the picture");
assert(spread(lens_behind + front, diagonal) < window_d / 2, "the window's rim is in the picture");
assert(spread(lens_behind + front + hood_out, cam_view[1]) < hood_up, "the hood is in the picture");
assert(pi_at[0] + pi_size[0] / 2 < width / 2 - wall - gap - 2, "the Pi meets the rim");
assert(perf_at[0] - perf_size[0] / 2 > -width / 2 + wall + gap + 2 - 0.01, "the board meets the rim");
assert(perf_at[0] + perf_size[0] / 2 + 2 < pi_at[0] - pi_size[0] / 2, "board and Pi meet");
assert(button_at[1] + button_d / 2 + 3 < pir_at[1] - (pir == "hcsr501" ? sr501_size[1] : am312_lip_d) / 2, "button and PIR meet");
assert(buck_at[0] - buck_size[0] / 2 - 1.8 > -width / 2 + wall + gap + 2, "the buck's frame meets the rim");
assert(buck_at[0] + buck_size[0] / 2 < button_at[0] - button_d / 2 + 2 || depth - 36 > base_t + 16, "the button meets the buck");
assert(depth - front - 36 > base_t, "the button reaches the base");

module outline(in = 0) translate([0, height / 2]) offset(r = corner - in) square([width - 2 * corner, height - 2 * corner], center = true);

module base() difference() {
  union() {
    linear_extrude(base_t) outline();
    translate([0, 0, base_t - 0.01]) linear_extrude(lip, convexity = 8) difference() { outline(wall + gap); outline(wall + gap + 2); }
    for (at = shut_at) translate([0, 0, base_t - 0.01]) linear_extrude(boss_top - gap - base_t) intersection() { translate(at) circle(d = 8.4); outline(wall + gap); }
    stands(pi_at, pi_holes, pi_first());
    stands(perf_at, perf_holes, [0, 0]);
    translate([buck_at[0], buck_at[1], base_t - 0.01]) linear_extrude(3, convexity = 8) difference() {
      square([buck_size[0] + 3.6, buck_size[1] + 3.6], center = true);
      square([buck_size[0] + 0.6, buck_size[1] + 0.6], center = true);
      square([100, 20], center = true);
    }
  }
  translate([0, 0, base_t - 1.4]) linear_extrude(lip + 10, convexity = 8) difference() { outline(0.8); outline(wall + gap); }       // gasket
  for (at = shut_at) translate([at[0], at[1], base_t]) cylinder(d = 4.2, h = 30);                                // inserts
  for (at = pi_spots()) translate([at[0], at[1], base_t - 1]) cylinder(d = 2.1, h = 30);
  for (at = spots(perf_at, perf_holes, [0, 0])) translate([at[0], at[1], base_t - 1]) cylinder(d = 1.7, h = 30);
  for (at = hang_at) translate([at[0], at[1], -1]) {
    cylinder(d = 4.5, h = 30);
    translate([0, 0, 1 + base_t - 2.4]) cylinder(d1 = 4.5, d2 = 9.3, h = 2.41);
  }
  if (entry == "back") translate([entry_at[0], entry_at[1], -1]) cylinder(d = 12.5, h = 30);
  translate([0, wall, base_t + lip]) cube([12, 12, 2 * lip], center = true);                                         // drain
}

// Hole positions: the pattern's middle is the board's, but for a 4, whose holes begin 3.5 mm from the card's edge.
function pi_first() = small ? [0, 0] : [0, hole_edge + pi4_holes[1] / 2 - pi4_size[1] / 2];
function spots(at, holes, off) = [for (x = [-1, 1], y = [-1, 1]) [at[0] + off[0] + x * holes[0] / 2, at[1] + off[1] + y * holes[1] / 2]];
function pi_spots() = spots(pi_at, pi_holes, pi_first());

module stands(at, holes, off) for (p = spots(at, holes, off))
  translate([p[0], p[1], base_t - 0.01]) cylinder(d1 = 7, d2 = 5.4, h = stand + 0.01);

module shell() difference() {
  union() {
    difference() {
      hull() {
        translate([0, 0, base_t]) linear_extrude(depth - base_t - 1.5) outline();
        translate([0, 0, depth - 1.5]) linear_extrude(1.5) outline(1.5);
      }
      translate([0, 0, base_t - 1]) linear_extrude(depth - front - base_t + 1) outline(wall);
    }
    for (at = shut_at) translate([at[0], at[1], boss_top]) linear_extrude(depth - front - boss_top + 0.01) circle(d = 10);
    for (at = cam_spots()) translate([at[0], at[1], depth - front - post]) linear_extrude(post + 0.01) circle(d = 4.6);
    if (pir == "am312") translate([pir_at[0], pir_at[1], depth - front - 2.5]) linear_extrude(2.6) circle(d = am312_lip_d + 3.4);
    if (pir == "hcsr501") for (x = [-1, 1]) translate([pir_at[0] + x * sr501_holes / 2, pir_at[1], depth - front - 3.5])
      linear_extrude(3.6) circle(d = 4.2);
  }
  for (at = shut_at) translate([at[0], at[1], 0]) { cylinder(d = 3.4, h = 100); translate([0, 0, boss_top + 3]) cylinder(d = 6.6, h = 100); }
  for (at = cam_spots()) translate([at[0], at[1], depth - front - post - 1]) cylinder(d = 1.7, h = post - 0.5);
  translate([lens_at[0], lens_at[1], 0]) { cylinder(d = window_hole, h = 100); translate([0, 0, depth - window_deep]) cylinder(d = window_d, h = 10); }
  translate([pir_at[0], pir_at[1], 0]) pir_cut();
  translate([button_at[0], button_at[1], depth - 10]) cylinder(d = button_d + 0.4, h = 20);
  if (led_hole) translate([led_at[0], led_at[1], depth - 10]) cylinder(d = 5.2, h = 20);
  if (ir_holes) for (x = [-22, 22], y = [-5, 5]) translate([lens_at[0] + x, lens_at[1] + y, depth - 10]) cylinder(d = 5.2, h = 20);
  for (x = [-15, 15]) translate([x, -1, base_t + lip + 5]) rotate([-90, 0, 0]) cylinder(d = 3, h = wall + 2);        // drains
  if (entry == "bottom") translate([entry_at[0], -1, depth / 2]) rotate([-90, 0, 0]) cylinder(d = 12.5, h = wall + 2);
  for (x = [-20, 20]) translate([x, lens_at[1] + hood_up + 4, depth - 2]) cylinder(d = 1.9, h = 5);                  // hood's pins
}

function cam_spots() = [for (x = [-1, 1], y = [0, 1])
  [lens_at[0] + x * cam_holes[0] / 2, lens_at[1] + cam_lens_down - 2 - y * cam_holes[1]]];

module pir_cut() {
  if (pir == "am312") {
    cylinder(d = am312_lens_d + 0.3, h = 100);
    translate([0, 0, depth - front - 10]) cylinder(d = am312_lip_d + 0.4, h = 10 + am312_sunk);
  }
  if (pir == "hcsr501") {
    cylinder(d = sr501_dome_d + 0.5, h = 100);
    for (x = [-1, 1]) translate([x * sr501_holes / 2, 0, depth - front - 5]) cylinder(d = 1.7, h = 6);
  }
}

// Glued on; its back is the shell's face. A groove under its edge lets drops fall there.
module hood() translate([0, lens_at[1] + hood_up, depth]) difference() {
  translate([-hood_wide / 2, 0, 0]) rotate([90, 0, 90])
    linear_extrude(hood_wide) polygon([[0, 0], [0, hood_out], [2.5, hood_out], [8, 0]]);
  translate([0, 0, hood_out - 3]) cube([hood_wide - 8, 2, 1.6], center = true);
  for (x = [-20, 20]) translate([x, 4, -1]) cylinder(d = 1.9, h = 4);
}

// Between wall and base: turns the door's eye by wedge_angle to the right, to the left, or downwards.
module wedge() {
  if (wedge_way == "left") mirror([1, 0, 0]) wedge_to("right", [-entry_at[0], entry_at[1]]);
  else wedge_to(wedge_way, entry_at);
}

module wedge_to(way, entry_at) {
  side = way == "right";
  thin = 4;
  shrink = cos(wedge_angle);
  difference() {
    linear_extrude(200) scale(side ? [shrink, 1] : [1, shrink]) outline();
    wedge_face() { translate([0, 0, 100]) cube([400, 800, 200], center = true); for (at = hang_at) translate([at[0], at[1], -12]) cylinder(d = 3.4, h = 20); }
    for (x = [-0.28, 0.28], y = [0.22, 0.78]) translate([x * width, y * height * (side ? 1 : shrink), -1]) { cylinder(d = 4.8, h = 300); translate([0, 0, 4]) cylinder(d = 9.5, h = 300); }
    translate([side ? entry_at[0] * shrink : entry_at[0], side ? entry_at[1] : entry_at[1] * shrink, -1]) cylinder(d = 15, h = 300);
  }
  // The base's own plane, z = 0 on the wedge's upper side.
  module wedge_face() {
    if (side) translate([width / 2 * shrink, 0, thin]) rotate([0, wedge_angle, 0]) translate([-width / 2, 0, 0]) children();
    else translate([0, 0, thin]) rotate([wedge_angle, 0, 0]) children();
  }
}
